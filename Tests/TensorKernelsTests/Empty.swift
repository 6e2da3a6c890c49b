// TensorKernels
