"""A subprocess computes and writes; the notebook reads its file."""
# kind: subprocess workers
# %%
import subprocess, sys
code = "open('res.txt','w').write(str(sum(range(10))))"
# %%
junk = "open('junk.txt','w').write('1')"
# %%
subprocess.run([sys.executable, "-c", junk], check=True)
# %%
subprocess.run([sys.executable, "-c", code], check=True)
# %%
for i in range(1, 3):
    loss = int(open("res.txt").read()) / i
