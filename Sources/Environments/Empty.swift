// Next.
