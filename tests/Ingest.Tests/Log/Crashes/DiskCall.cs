namespace Ingest.Tests.Log.Crashes;

/// <summary>A call that a disk is asked to do.</summary>
/// <param name="Name">create, write, truncate, flush, rename, delete or "flush directory".</param>
/// <param name="Extension">Extension of the file, empty when it has none.</param>
internal readonly record struct DiskCall(string Name, string Extension);
