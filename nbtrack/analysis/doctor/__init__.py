"""What is wrong with a store or its surroundings, why, and the way out.

report          a check, and all of them as text, JSON and a page
about_store     the database, who holds it, what dead processes left
about_disk      files, rights, room
about_jupyter   packages, extensions, kernels: why a panel stays blank
mending         what can be put right without asking
examine         all of it
"""
