def primes(limit):
    """All primes below limit, by Eratosthenes' sieve."""
    sieve = bytearray([1]) * limit
    sieve[:2] = bytes(min(limit, 2))
    for n in range(2, int(limit**0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, limit, n)))
    return [n for n in range(limit) if sieve[n]]
