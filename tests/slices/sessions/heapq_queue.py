"""A heap is popped for a look."""
# kind: heapq
# %%
import heapq
h = [5, 1, 8, 3]
heapq.heapify(h)
# %%
heapq.nsmallest(2, h)
# %%
heapq.heappop(h)
# %%
heapq.heappush(h, 0.5)
# %%
while h:
    loss = heapq.heappop(h)
