namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>Tests that load the machine: one at a time, and with no others beside them.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;
