// Environments
