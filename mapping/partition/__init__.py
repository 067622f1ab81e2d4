from mapping.partition.sequential import CapacityError, Partition, partition_neurons
