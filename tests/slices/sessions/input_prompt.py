"""A person typed the learning rate."""
# kind: input()
# provable: maybe
# stdin: 0.3
# %%
lr = float(input("lr? "))
# %%
name = "x"
# %%
for i in range(3):
    loss = lr ** i
