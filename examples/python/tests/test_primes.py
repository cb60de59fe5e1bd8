import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from primes import primes


class Primes(unittest.TestCase):
    def test_small(self):
        self.assertEqual(primes(20), [2, 3, 5, 7, 11, 13, 17, 19])

    def test_nothing_below_two(self):
        for limit in range(3):
            self.assertEqual(primes(limit), [])

    def test_count(self):
        self.assertEqual(len(primes(10_000)), 1229)


if __name__ == "__main__":
    unittest.main()
