namespace Ingest.Feed;

/// <summary>Is shown the blocks of a table when they are durable, in the order of the log.</summary>
public interface IBlockListener
{
    /// <summary>
    /// Takes a block: called by the lane's thread between the flush and the acknowledgements, so it takes a reference
    /// and goes; it does not wait, and does not throw.
    /// </summary>
    /// <param name="block">
    /// The block. It is there until this method returns, or until <see cref="CommittedBlock.Release"/> is called once for
    /// each <see cref="CommittedBlock.AddReference"/>.
    /// </param>
    void OnCommitted(CommittedBlock block);
}
