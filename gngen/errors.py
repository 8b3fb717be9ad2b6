"""The errors that gngen raises: each says the fact, the values and the choices."""


class GngenError(Exception):
    """The root of gngen's errors."""


class SpecError(GngenError, ValueError):
    """A spec, or a spec and a shape, that no kernel can be compiled for."""


class TargetError(GngenError, ValueError):
    """A target string or target file that names nothing usable."""


class BuildError(GngenError, RuntimeError):
    """A source that could not be built, with what the compiler said."""


class LaunchError(GngenError, ValueError):
    """Arrays that the compiled kernel cannot take."""


class VerifyError(GngenError, RuntimeError):
    """A loop nest that is not valid: what is wrong, and where."""


class MissingExtraError(GngenError, ImportError):
    """A framework that is not installed, and the extra that installs it."""
