"""%%capture out: what was printed becomes a value."""
# kind: %%capture
# %%
n = 3
# %%
%%capture out
for i in range(n): print(i * 1.5)
# %%
%%capture
junk = 5
print("quiet")
# %%
n = 100
# %%
for line in out.stdout.split():
    loss = float(line) + junk
