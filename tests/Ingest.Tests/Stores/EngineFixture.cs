using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

/// <summary>
/// The one embedded engine of the test process, started when the first test that needs it runs. A process has room for
/// one engine with one data directory, so every test that wants it belongs to <see cref="EngineCollection"/> and uses
/// tables of its own.
/// </summary>
public sealed class EngineFixture : IAsyncLifetime
{
    private EmbeddedStore? _store;
    private string _missing = "";

    /// <summary>Directory for files of the tests; deleted at the end.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ingest-store-").FullName;

    /// <summary>The store; skips the test when libchdb is missing.</summary>
    public EmbeddedStore Store
    {
        get
        {
            Skip.If(_store is null, _missing);
            return _store;
        }
    }

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        _missing = EmbeddedStore.WhyMissing(new StoreOptions()) ?? "";
        if (_missing.Length > 0)
        {
            return;
        }

        _store = await EmbeddedStore.OpenAsync(Path.Combine(Directory, "store"), new StoreOptions());
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
