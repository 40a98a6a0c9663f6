using System.Globalization;
using Ingest.Stores;

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
        (string Name, int Nice)[] threads = [.. Niceness()];
        ILookup<string, int> niceness = threads.ToLookup(thread => thread.Name, thread => thread.Nice);
        Assert.All(
            s_callers, name => Assert.All(niceness[name].DefaultIfEmpty(-1), nice => Assert.Equal(expected, nice)));

        // And those that the engine has made, whatever they are called.
        Assert.Contains(
            threads, thread => thread.Nice == expected && !thread.Name.StartsWith("store ", StringComparison.Ordinal));
        Assert.All(niceness[".NET TP Worker"], nice => Assert.NotEqual(expected, nice));
    }

    // PID (NAME) and 17 more fields before it; the name is cut at 15 characters.
    private static IEnumerable<(string Name, int Nice)> Niceness()
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
            yield return (name, int.Parse(stat[(end + 2)..].Split(' ')[16], CultureInfo.InvariantCulture));
        }
    }
}
