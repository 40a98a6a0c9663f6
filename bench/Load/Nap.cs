using System.Runtime.InteropServices;

namespace Ingest.Load;

/// <summary>Short sleeps: Thread.Sleep knows milliseconds only, which would be half of the latency that is measured.</summary>
internal static class Nap
{
    private const long LongestMicros = 100_000;

    /// <summary>Sleeps about so long, at most 0.1 s.</summary>
    public static void For(long micros)
    {
        var time = new TimeSpec { Nanoseconds = (nint)(Math.Clamp(micros, 1, LongestMicros) * 1000) };
        _ = NanoSleep(in time, 0);
    }

    [DllImport("libc", EntryPoint = "nanosleep")]
    private static extern int NanoSleep(in TimeSpec time, nint left);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
