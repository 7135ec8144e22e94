"""What somebody else adds to song2vec: a network, a reader, an index and a learner."""
