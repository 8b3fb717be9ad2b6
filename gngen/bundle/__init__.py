"""Bundles: the kernels of a list of layers as plain files, for programs with neither Python nor a compiler at hand.

A folder with one public header, static and shared libraries or what they are made of, a self-test and a manifest; `gngen build` writes
one, `gngen.load` calls it from Python.
"""
