using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

public sealed class LibChdbLocationTests : IDisposable
{
    private const string Package = "lib-linux-x64-gnu";

    private readonly string _root = Directory.CreateTempSubdirectory("ingest-lib-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void The_configured_path_comes_first_and_then_the_environment()
    {
        string configured = Make("a/libchdb.so");
        string environment = Make("b/libchdb.so");
        string here = Make("c/libchdb.so");
        Assert.Equal(configured, LibChdbLocation.Find(configured, environment, Package, [Path.GetDirectoryName(here)!]));
        Assert.Equal(environment, LibChdbLocation.Find("", environment, Package, [Path.GetDirectoryName(here)!]));
        Assert.Equal(here, LibChdbLocation.Find("", "", Package, [Path.GetDirectoryName(here)!]));
    }

    [Theory]
    [InlineData($"script/engine/node_modules/@chdb/{Package}/libchdb.so")]
    [InlineData($"script/engine/{Package}/node_modules/@chdb/{Package}/libchdb.dylib")]
    public void It_is_found_above_the_directory(string place)
    {
        string library = Make(place);
        string below = Path.Combine(_root, "src", "Server", "bin");
        Directory.CreateDirectory(below);
        Assert.Equal(library, LibChdbLocation.Find("", "", Package, [below]));
    }

    [Fact]
    public void What_is_missing_is_told_in_one_sentence()
    {
        string nowhere = Path.Combine(_root, "nowhere.so");
        Assert.Contains(nowhere, Message(() => LibChdbLocation.Find(nowhere, "", Package, [])), StringComparison.Ordinal);
        Assert.Contains(
            "script/server", Message(() => LibChdbLocation.Find("", "", Package, [])), StringComparison.Ordinal);
        Assert.Contains(
            "ClickHouse server", Message(() => LibChdbLocation.Find("", "", null, [])), StringComparison.Ordinal);
    }

    private static string Message(Func<string> find)
    {
        StoreException e = Assert.Throws<StoreException>(find);
        Assert.Equal(StoreFault.Unavailable, e.Fault);
        return e.Message;
    }

    private string Make(string relative)
    {
        string path = Path.Combine(_root, relative);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        return path;
    }
}
