using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Ingest.Fanout;

/// <summary>Linux's epoll and recv, called as a C client would: one thread reads thousands of sockets.</summary>
/// <remarks>For x64, where the kernel packs <c>epoll_event</c>.</remarks>
internal sealed partial class Epoll : IDisposable
{
    private const int Add = 1;
    private const int In = 1;
    private const int DontWait = 0x40;
    private const int Again = 11;
    private const int Interrupted = 4;

    private readonly int _handle = Check(EpollCreate(0));
    private readonly Event[] _events = new Event[512];

    /// <summary>Watches a socket; <see cref="Wait"/> names it by the number.</summary>
    public void Watch(Socket socket, int number)
    {
        var watched = new Event { Events = In, Data = number };
        Check(EpollControl(_handle, Add, (int)socket.Handle, ref watched));
    }

    /// <summary>Numbers of sockets that can be read, at most after so many milliseconds.</summary>
    public ReadOnlySpan<Event> Wait(int milliseconds)
    {
        int count = EpollWait(_handle, _events, _events.Length, milliseconds);
        return count < 0 && Marshal.GetLastPInvokeError() == Interrupted ? [] : _events.AsSpan(0, Check(count));
    }

    /// <summary>Reads what is there without waiting: 0 at the end, -1 when there is nothing now.</summary>
    public static int Read(Socket socket, Span<byte> buffer)
    {
        nint count = Receive((int)socket.Handle, ref MemoryMarshal.GetReference(buffer), buffer.Length, DontWait);
        return count >= 0 || Marshal.GetLastPInvokeError() is Again or Interrupted
            ? (int)count
            : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Close(_handle);

    private static int Check(int result) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(int epoll, int operation, int file, ref Event watched);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int EpollWait(int epoll, [Out] Event[] events, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int socket, ref byte buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    /// <summary>epoll_event.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    internal struct Event
    {
        /// <summary>What happened.</summary>
        public uint Events;

        /// <summary>The socket's number.</summary>
        public long Data;
    }
}
