namespace Ingest.Stores;

/// <summary>The store refused or failed. The message is the engine's own.</summary>
public sealed class StoreException : Exception
{
    public StoreException(string message, StoreFault fault, Exception? inner = null)
        : base(message, inner) => Fault = fault;

    /// <summary>What kind of fault it is: decides whether and how to try again.</summary>
    public StoreFault Fault { get; }
}
