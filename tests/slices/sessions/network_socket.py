"""A number comes over a socket from a server that is only there now."""
# kind: network
# provable: no
# %%
import socket, threading, os
srv = socket.socket(); srv.bind(("127.0.0.1", 0)); srv.listen(1)
port = srv.getsockname()[1]
# %%
def serve():
    c, _ = srv.accept()
    c.sendall(os.urandom(2).hex().encode()); c.close()
th = threading.Thread(target=serve, daemon=True); th.start()
# %%
cl = socket.create_connection(("127.0.0.1", port)); val = int(cl.recv(10), 16); cl.close()
# %%
for i in range(2):
    loss = val / (i + 1)
