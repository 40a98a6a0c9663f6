using Google.Protobuf.WellKnownTypes;
using Ingest.Schema;
using Microsoft.Extensions.Logging;

namespace Ingest.Log.Inspection;

/// <summary>Does to a stopped server's log what its next start would: the very same code.</summary>
public static class LogRepair
{
    /// <summary>Verifies all segments, cuts torn ends off, and moves what is damaged to quarantine.</summary>
    /// <param name="dataDirectory">The data directory of a server that does not run.</param>
    /// <param name="isDry">Whether it is only said what would be done.</param>
    /// <param name="logger">Hears of everything that is found and done, as a server's log would.</param>
    /// <exception cref="DataDirectoryInUseException">A server has the directory.</exception>
    /// <exception cref="DirectoryNotFoundException">It is no data directory.</exception>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static RecoveryReport Run(string dataDirectory, bool isDry, ILogger logger)
    {
        string path = DataDirectory.Find(dataDirectory);
        ILogFiles disk = isDry ? new DryFiles() : DiskFiles.Instance;
        using DataDirectory directory = DataDirectory.Open(disk, path, logger);
        using SegmentIds ids = SegmentIds.Open(disk, directory.MarkPath, TimeProvider.System);
        TableSchema[] tables = [.. disk.Directories(directory.LogDirectory).Select(Schema)];
        var recovery = new Recovery(disk, directory, tables, logger);
        try
        {
            return recovery.Run(ids, CancellationToken.None);
        }
        finally
        {
            foreach (RecoveredProducers producers in recovery.Producers.Values)
            {
                producers.File.Dispose();
            }
        }
    }

    // Whose rows they are does not matter here, so a table of the server's own schemas needs none.
    private static TableSchema Schema(string directory)
    {
        string name = Path.GetFileName(directory);
        return IngestPipeline.Tables.FirstOrDefault(table => table.Name == name)
            ?? new TableSchema(name, Empty.Descriptor, [], [], "", 0);
    }
}
