"""%%writefile -a adds a line to a config that is exec'd."""
# kind: %%writefile
# %%
%%writefile conf.ini
[a]
lr = 0.2
# %%
%%writefile -a conf.ini
[b]
wd = 0.3
# %%
import configparser
cp = configparser.ConfigParser(); cp.read("conf.ini")
# %%
cp["a"]["lr"] = "0.4"
# %%
for s, k in (("a", "lr"), ("b", "wd")):
    loss = float(cp[s][k])
