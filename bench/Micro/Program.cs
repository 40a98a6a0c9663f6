using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Ingest.Micro;

// In this process: nothing is built while measuring, and the server's code is what was just built.
BenchmarkSwitcher.FromAssembly(typeof(DecodeBenchmarks).Assembly).Run(
    args,
    DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)));
