/* Clusters and grids of blocks, on a CPU. */
#pragma once
#include "cuda_runtime.h"

namespace cooperative_groups {

struct Group {
    void sync() const { on_cpu::wait(on_cpu::TEAM_SCOPE, 0); }
    template <class T> T *map_shared_rank(T *mine, int rank) const {
        on_cpu::Team &team = *on_cpu::block->team;
        if (rank < 0 || (size_t)rank >= team.size) on_cpu::fail("no such block in the cluster");
        return (T *)(team.anchors[rank] + ((char *)mine - on_cpu::anchor));
    }
};

static inline Group this_cluster() { return Group(); }
static inline Group this_grid() { return Group(); }

}  // namespace cooperative_groups
