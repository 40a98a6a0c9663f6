using System.Globalization;
using System.Runtime.InteropServices;

namespace Ingest.Stores.Embedded;

/// <summary>How the engine's threads share the cores with those that senders and subscribers wait for.</summary>
/// <remarks>
/// An INSERT or a merge keeps a core busy for tens of milliseconds, and Linux lets a thread that wakes up wait for the
/// end of the running one's turn (3 ms by default) on each of the dozen wake-ups between a point and its update. So
/// the engine's threads have turns of 100 ms: since Linux 6.12 one whose own turns are shorter then interrupts them at
/// once, as long as it has not had more than its share. That costs the engine nothing of its share; its niceness does.
/// A thread has both from the one that makes it, so it is enough that all who call the engine have them.
/// <para>
/// Merges have what nobody else wants (SCHED_IDLE): they can wait, and with a niceness alone, even the highest, each
/// wake-up of an INSERT would wait for the end of a merge's turn. Their own turns are short, so that one which holds a
/// lock of the engine does not hold it for long. An engine that merges too little slows INSERTs by itself, from 1,000
/// parts on.
/// </para>
/// </remarks>
internal static partial class EngineThreads
{
    private const uint Fair = 0; // SCHED_OTHER
    private const uint WhenIdle = 5; // SCHED_IDLE
    private const int MostNice = 19;
    private const ulong LongestTurnNanos = 100_000_000;
    private const ulong ShortTurnNanos = 1_000_000;

    /// <summary>Lets the calling thread, and all that it starts, give way; nothing where Linux refuses.</summary>
    /// <param name="nice">0 to 19: its share of a core that others want too is 0.8 to that power of theirs.</param>
    public static void GiveWay(int nice)
    {
        Set(thread: 0, new Attributes { Policy = Fair, Nice = nice, RuntimeNanos = LongestTurnNanos });
    }

    /// <summary>
    /// Lets the threads of a name run when no other wants the core. The engine's own setting for its merges wants a
    /// capability that a server seldom has.
    /// </summary>
    /// <returns>How many there are.</returns>
    public static int RunWhenIdle(string name)
    {
        int found = 0;
        foreach (string task in OperatingSystem.IsLinux() ? Directory.GetDirectories("/proc/self/task") : [])
        {
            try
            {
                if (File.ReadAllText(Path.Combine(task, "comm")).TrimEnd('\n') == name)
                {
                    nint thread = nint.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);

                    // The length of a turn can be set of a fair one only, and stays.
                    Set(thread, new Attributes { Policy = Fair, Nice = MostNice, RuntimeNanos = ShortTurnNanos });
                    Set(thread, new Attributes { Policy = WhenIdle, Nice = MostNice });
                    found++;
                }
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        return found;
    }

    private static void Set(nint thread, Attributes attributes)
    {
        if (OperatingSystem.IsLinux() && SystemCall() is { } number)
        {
            attributes.Size = (uint)Marshal.SizeOf<Attributes>();
            _ = SetAttributes(number, thread, in attributes, flags: 0);
        }
    }

    // sched_setattr has no function in glibc before 2.41.
    private static nint? SystemCall() => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 314,
        Architecture.Arm64 => 274,
        _ => null,
    };

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SetAttributes(nint number, nint thread, in Attributes attributes, nint flags);

    /// <summary><c>struct sched_attr</c> of sched_setattr(2), first version.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Attributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong RuntimeNanos; // Of a fair thread the length of a turn, since Linux 6.12; ignored before.
        public ulong DeadlineNanos;
        public ulong PeriodNanos;
    }
}
