using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Tests.Grpc;

public class DescriptorIndexTests
{
    private static readonly DescriptorIndex Index = new([IngestServiceReflection.Descriptor]);

    [Theory]
    [InlineData("ingest.v1.IngestService", "ingest/v1/ingest_service.proto")]
    [InlineData("ingest.v1.IngestService.StreamGpsPoints", "ingest/v1/ingest_service.proto")]
    [InlineData("ingest.v1.GpsPoint", "ingest/v1/gps_point.proto")]
    [InlineData(".ingest.v1.GpsPoint", "ingest/v1/gps_point.proto")]
    [InlineData("ingest.v1.GpsPoint.driver_id", "ingest/v1/gps_point.proto")]
    [InlineData("ingest.v1.TripStage", "ingest/v1/gps_point.proto")]
    [InlineData("ingest.v1.table", "ingest/v1/options.proto")]
    [InlineData("google.protobuf.Timestamp", "google/protobuf/timestamp.proto")]
    public void A_symbol_leads_to_its_file(string symbol, string file) =>
        Assert.Equal(file, Names(Index.FindSymbol(symbol))[0]);

    [Fact]
    public void A_file_comes_with_all_that_it_imports()
    {
        var names = Names(Index.FindFile("ingest/v1/gps_point.proto"));

        Assert.Equal("ingest/v1/gps_point.proto", names[0]);
        Assert.Contains("ingest/v1/options.proto", names);
        Assert.Contains("google/protobuf/descriptor.proto", names);
        Assert.Equal(names.Count, names.Distinct().Count());
    }

    [Fact]
    public void Extensions_are_found_by_message_and_number()
    {
        Assert.Equal("ingest/v1/options.proto", Names(Index.FindExtension("google.protobuf.MessageOptions", 51820))[0]);
        Assert.Equal([51820], Index.FindExtensionNumbers("google.protobuf.MessageOptions"));
        Assert.Equal([51821], Index.FindExtensionNumbers("google.protobuf.FieldOptions"));
        Assert.Equal([], Index.FindExtensionNumbers("ingest.v1.GpsPoint"));
    }

    [Fact]
    public void What_is_not_known_is_null()
    {
        Assert.Null(Index.FindFile("no.proto"));
        Assert.Null(Index.FindSymbol("no.Such"));
        Assert.Null(Index.FindExtension("google.protobuf.MessageOptions", 1));
        Assert.Null(Index.FindExtensionNumbers("ingest.v1.TripStage"));
    }

    private static List<string> Names(IEnumerable<ByteString>? files) =>
        [.. files!.Select(bytes => FileDescriptorProto.Parser.ParseFrom(bytes).Name)];
}
