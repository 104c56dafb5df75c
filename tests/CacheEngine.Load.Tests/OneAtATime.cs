// What is tested here brings load and looks at the clock: tests side by side would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
