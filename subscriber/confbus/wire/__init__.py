"""The contract between publisher and subscriber: keys, bytes, paths, snapshots, notices. No I/O happens here."""
