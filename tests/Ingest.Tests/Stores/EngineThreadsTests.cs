using System.Diagnostics;
using System.Globalization;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

[Collection(EngineCollection.Name)]
public sealed class EngineThreadsTests(EngineFixture engine)
{
    private static readonly string[] s_callers = ["store insert", "store definitio", "store kill", "store query 0"];

    [SkippableFact]
    public async Task Threads_of_the_engine_give_way_and_no_others_do()
    {
        _ = engine.Store;
        Skip.IfNot(OperatingSystem.IsLinux(), "Niceness of threads is Linux's.");
        int expected = new StoreOptions().EngineNice;
        (string Name, int Nice, int Policy)[] threads = await SchedulingAsync(
            found => s_callers.All(
                name => found.Any(t => t.Name == name) && found.All(t => t.Name != name || t.Nice == expected)));

        // And those that the engine has made, whatever they are called.
        Assert.Contains(
            threads, thread => thread.Nice == expected && !thread.Name.StartsWith("store ", StringComparison.Ordinal));
        Assert.All(threads, thread => Assert.True(thread.Name != ".NET TP Worker" || thread.Nice != expected));
    }

    [SkippableFact]
    public async Task Threads_that_merge_run_when_no_other_wants_the_core_and_others_do_not_wait_so()
    {
        const int WhenIdle = 5;
        const int MostNice = 19;
        EmbeddedStore store = engine.Store;
        Skip.IfNot(OperatingSystem.IsLinux(), "Policies of threads are Linux's.");
        (string Name, int Nice, int Policy)[] threads = await SchedulingAsync(
            found => found.Count(t => t is { Name: "MergeMutate", Nice: MostNice, Policy: WhenIdle })
                == new StoreOptions().MergeThreads,
            () => store.EnsureTableAsync(BuiltInTables.All[0], default));
        Assert.All(
            threads, thread => Assert.True(thread.Policy != WhenIdle || thread.Name == "MergeMutate", thread.Name));
    }

    // On a busy machine a thread may have its name, or its share, only some time after it was made.
    private static async Task<(string Name, int Nice, int Policy)[]> SchedulingAsync(
        Func<(string Name, int Nice, int Policy)[], bool> isComplete, Func<Task>? before = null)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            await (before?.Invoke() ?? Task.CompletedTask);
            (string Name, int Nice, int Policy)[] threads = [.. Scheduling()];
            if (isComplete(threads))
            {
                return threads;
            }

            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), string.Join(", ", threads));
            await Task.Delay(10);
        }
    }

    // PID (NAME), and the 17th and the 39th of the fields behind it; the name is cut at 15 characters.
    private static IEnumerable<(string Name, int Nice, int Policy)> Scheduling()
    {
        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            string stat;
            try
            {
                stat = File.ReadAllText(Path.Combine(task, "stat"));
            }
            catch (IOException)
            {
                continue; // It has ended.
            }

            int end = stat.LastIndexOf(')');
            string name = stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..end];
            string[] fields = stat[(end + 2)..].Split(' ');
            yield return (
                name, int.Parse(fields[16], CultureInfo.InvariantCulture),
                int.Parse(fields[38], CultureInfo.InvariantCulture));
        }
    }
}
