"""! writes a file that Python reads."""
# kind: ! shell writes
# %%
!echo 4 > n.txt
# %%
!echo 5 >> n.txt
# %%
!echo unrelated > m.txt
# %%
lines = open("n.txt").read().split()
for t in lines:
    loss = 10 / int(t)
