"""`make bench`: print every benchmark as a ratio."""

from bench import events_rate, pull


def main() -> None:
    """Run the benchmarks one after the other."""
    for name, benchmark in (("pull", pull), ("events", events_rate)):
        print(f"-- {name}")
        for row in benchmark.measure():
            print(row, flush=True)


main()
