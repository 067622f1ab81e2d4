"""The parts of the experiment `wtcrl`: data, network, training, measures, figures."""
