"""shelve keeps keys in a file; closed and opened again."""
# kind: shelve
# %%
import shelve
with shelve.open("kv") as db: db["a"] = 1.5
# %%
with shelve.open("kv") as db: db["b"] = 2.5
# %%
with shelve.open("kv2") as db: db["q"] = 0
# %%
with shelve.open("kv") as db:
    for k in sorted(db):
        loss = db[k]
