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
    public void Threads_of_the_engine_give_way_and_no_others_do()
    {
        _ = engine.Store;
        Skip.IfNot(OperatingSystem.IsLinux(), "Niceness of threads is Linux's.");
        int expected = new StoreOptions().EngineNice;
        (string Name, int Nice, int Policy)[] threads = [.. Scheduling()];
        ILookup<string, int> niceness = threads.ToLookup(thread => thread.Name, thread => thread.Nice);
        Assert.All(
            s_callers, name => Assert.All(niceness[name].DefaultIfEmpty(-1), nice => Assert.Equal(expected, nice)));

        // And those that the engine has made, whatever they are called.
        Assert.Contains(
            threads, thread => thread.Nice == expected && !thread.Name.StartsWith("store ", StringComparison.Ordinal));
        Assert.All(niceness[".NET TP Worker"], nice => Assert.NotEqual(expected, nice));
    }

    [SkippableFact]
    public async Task Threads_that_merge_run_when_no_other_wants_the_core_and_others_do_not_wait_so()
    {
        const int WhenIdle = 5;
        EmbeddedStore store = engine.Store;
        Skip.IfNot(OperatingSystem.IsLinux(), "Policies of threads are Linux's.");
        await store.EnsureTableAsync(BuiltInTables.All[0], default);
        (string Name, int Nice, int Policy)[] threads = [.. Scheduling()];
        Assert.Equal(
            new StoreOptions().MergeThreads, threads.Count(thread => thread.Name == "MergeMutate" && thread.Policy == WhenIdle));
        Assert.All(
            threads, thread => Assert.True(thread.Policy != WhenIdle || thread.Name == "MergeMutate", thread.Name));
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
