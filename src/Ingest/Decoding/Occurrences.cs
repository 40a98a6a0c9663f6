using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>
/// Where the values of fields lie on the wire: a stack of chains, one a field, of which a message that is being read
/// takes a frame. A field can come many times and anywhere, and its occurrences belong together.
/// </summary>
internal sealed class Occurrences
{
    /// <summary>The end of a chain.</summary>
    public const int None = -1;

    private const int Kept = 4096;

    private Chain[] _chains = [];
    private Occurrence[] _occurrences = [];
    private int _chainCount;

    /// <summary>Occurrences on the stack; what <see cref="EndFrame"/> goes back to.</summary>
    public int Count { get; private set; }

    public long HeldBytes =>
        ((long)_chains.Length * Unsafe.SizeOf<Chain>()) + ((long)_occurrences.Length * Unsafe.SizeOf<Occurrence>());

    public ref readonly Occurrence this[int index] => ref _occurrences[index];

    /// <summary>Forgets everything.</summary>
    public void Clear() => (_chainCount, Count) = (0, 0);

    /// <summary>Puts empty chains on the stack and returns the number of the first.</summary>
    public int BeginFrame(int chains)
    {
        int frame = _chainCount;
        if (_chains.Length - frame < chains)
        {
            ColumnMemory.Grow(ref _chains, frame + chains, 16);
        }

        _chains.AsSpan(frame, chains).Fill(new Chain { First = None, Last = None });
        _chainCount += chains;
        return frame;
    }

    /// <summary>
    /// Takes a frame off the stack, and the occurrences that came since there were <paramref name="count"/>.
    /// </summary>
    public void EndFrame(int frame, int count)
    {
        Debug.Assert(frame <= _chainCount && count <= Count, "frames end in the reverse of their order");
        (_chainCount, Count) = (frame, count);
    }

    /// <summary>Adds an occurrence to a chain.</summary>
    public void Add(int chain, int at, int end, bool isPacked = false)
    {
        if (Count == _occurrences.Length)
        {
            ColumnMemory.Grow(ref _occurrences, Count + 1, 16);
        }

        int index = Count++;
        _occurrences[index] = new Occurrence { At = at, End = end, Next = None, IsPacked = isPacked };
        ref Chain links = ref _chains[chain];
        if (links.Last == None)
        {
            links.First = index;
        }
        else
        {
            _occurrences[links.Last].Next = index;
        }

        links.Last = index;
    }

    /// <summary>Empties a chain.</summary>
    public void Clear(int chain) => _chains[chain] = new Chain { First = None, Last = None };

    /// <summary>First occurrence of a chain, or <see cref="None"/>.</summary>
    public int First(int chain) => _chains[chain].First;

    /// <summary>Last occurrence of a chain, or <see cref="None"/>.</summary>
    public int Last(int chain) => _chains[chain].Last;

    /// <summary>Lets go of what one large row has blown up.</summary>
    public void Trim()
    {
        Clear();
        ColumnMemory.Shrink(ref _chains, Kept);
        ColumnMemory.Shrink(ref _occurrences, Kept);
    }

    /// <summary>A value on the wire: the content of what has a length, the value itself of what has none.</summary>
    public struct Occurrence
    {
        public int At;

        public int End;

        /// <summary>The next of the chain.</summary>
        public int Next;

        /// <summary>Whether the content is a packed list.</summary>
        public bool IsPacked;
    }

    private struct Chain
    {
        public int First;

        public int Last;
    }
}
