using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.EndToEnd.Tests;

/// <summary>Whether the embedded engine is on this machine.</summary>
internal static class Engine
{
    public static string? Missing { get; } = EmbeddedStore.WhyMissing(new StoreOptions());

    public static bool IsThere => Missing is null;

    public static void Require() => Skip.IfNot(IsThere, Missing);
}
