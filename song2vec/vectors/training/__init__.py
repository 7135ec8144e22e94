"""How word vectors of songs are trained: the kernel, its tables, its schedule, and gensim as the reference beside it."""
