namespace Ingest.Topics.Filters;

/// <summary>A google.protobuf.Timestamp or Duration, read from its bytes.</summary>
/// <param name="WholeSeconds">Its seconds.</param>
/// <param name="Nanos">Its nanoseconds besides.</param>
internal readonly record struct Moment(long WholeSeconds, int Nanos)
{
    /// <summary>All of it in seconds, as exactly as a double can.</summary>
    public double Seconds => WholeSeconds + (Nanos / 1e9);

    public static Moment Read(ReadOnlySpan<byte> message)
    {
        long seconds = 0;
        int nanos = 0;
        var fields = new WireFields(message);
        while (fields.Next())
        {
            switch (fields.Number)
            {
                case 1:
                    seconds = (long)fields.Bits;
                    break;
                case 2:
                    nanos = (int)fields.Bits;
                    break;
            }
        }

        return new Moment(seconds, nanos);
    }

    public int CompareTo(Moment other) => WholeSeconds != other.WholeSeconds
        ? WholeSeconds.CompareTo(other.WholeSeconds)
        : Nanos.CompareTo(other.Nanos);
}
