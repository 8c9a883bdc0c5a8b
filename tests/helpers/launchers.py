"""How a training script is started: the arguments between Python and the script."""

LAUNCHERS = {
    "one process": (),
    "torchrun": ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
}
