"""The parts of the experiment `dastdp`: images, network, presenting, training, testing, figures."""
