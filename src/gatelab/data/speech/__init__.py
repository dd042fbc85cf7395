"""Sound and speech: files, features, known sets, TIMIT and Kaldi folders."""
