"""%%time and %time around what makes the values; a timeit beside them."""
# kind: %%time
# %%
%%time
xs = [i ** 2 for i in range(5)]
# %%
%time ys = sum(xs)
# %%
%timeit -n 1 -r 1 sorted(xs)
# %%
%%time
zs = 0
# %%
for x in xs:
    loss = x / ys
