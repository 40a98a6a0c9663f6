using Google.Protobuf.Reflection;
using Ingest.Schema;
using Ingest.Tests.Protos;
using Ingest.V1;

namespace Ingest.Tests.Schema;

public sealed class TableSchemaTests
{
    [Fact]
    public void Single_fields_have_the_types_of_the_table_in_wire_md() => AssertColumns(
        Singles.Descriptor,
        """
        double_value Float64
        float_value Float32
        int32_value Int32
        int64_value Int64
        uint32_value UInt32
        uint64_value UInt64
        sint32_value Int32
        sint64_value Int64
        fixed32_value UInt32
        fixed64_value UInt64
        sfixed32_value Int32
        sfixed64_value Int64
        bool_value Bool
        string_value String
        bytes_value String
        color_value LowCardinality(String)
        alias_value LowCardinality(String)
        timestamp_value DateTime64(6, 'UTC')
        duration_value Int64
        """);

    [Fact]
    public void Optional_fields_are_nullable() => AssertColumns(
        Optionals.Descriptor,
        """
        double_value Nullable(Float64)
        float_value Nullable(Float32)
        int32_value Nullable(Int32)
        int64_value Nullable(Int64)
        uint32_value Nullable(UInt32)
        uint64_value Nullable(UInt64)
        sint32_value Nullable(Int32)
        sint64_value Nullable(Int64)
        fixed32_value Nullable(UInt32)
        fixed64_value Nullable(UInt64)
        sfixed32_value Nullable(Int32)
        sfixed64_value Nullable(Int64)
        bool_value Nullable(Bool)
        string_value Nullable(String)
        bytes_value Nullable(String)
        color_value LowCardinality(Nullable(String))
        timestamp_value Nullable(DateTime64(6, 'UTC'))
        duration_value Nullable(Int64)
        low_value LowCardinality(Nullable(String))
        low_bytes LowCardinality(Nullable(String))
        """);

    [Fact]
    public void Repeated_fields_are_arrays()
    {
        var columns = TableSchema.FromDescriptor(Lists.Descriptor).Columns;
        var singles = TableSchema.FromDescriptor(Singles.Descriptor).Columns.ToDictionary(c => c.Name);
        foreach (var column in columns.SkipLast(3))
        {
            Assert.Equal($"Array({singles[column.Name].Type})", column.Type);
        }
    }

    [Fact]
    public void Maps_have_dictionaries_of_text_keys() => AssertColumns(
        MapKeys.Descriptor,
        """
        int32_value Map(Int32, Int32)
        int64_value Map(Int64, Int32)
        uint32_value Map(UInt32, Int32)
        uint64_value Map(UInt64, Int32)
        sint32_value Map(Int32, Int32)
        sint64_value Map(Int64, Int32)
        fixed32_value Map(UInt32, Int32)
        fixed64_value Map(UInt64, Int32)
        sfixed32_value Map(Int32, Int32)
        sfixed64_value Map(Int64, Int32)
        bool_value Map(UInt8, Int32)
        string_value Map(LowCardinality(String), Int32)
        """);

    [Fact]
    public void Nested_messages_are_flattened_and_lists_of_them_are_text() => AssertColumns(
        Nested.Descriptor,
        """
        a_number Int32
        a_text String
        a_maybe Nullable(Float64)
        a_list Array(Int64)
        a_map Map(LowCardinality(String), Int32)
        a_first Nullable(String)
        a_second Nullable(UInt32)
        b_number Int32
        b_text String
        b_maybe Nullable(Float64)
        b_list Array(Int64)
        b_map Map(LowCardinality(String), Int32)
        b_first Nullable(String)
        b_second Nullable(UInt32)
        """,
        14);

    [Fact]
    public void Well_known_types_have_columns_of_their_own() => AssertColumns(
        WellKnown.Descriptor,
        """
        struct Map(LowCardinality(String), String)
        value String
        list String
        time DateTime64(6, 'UTC')
        span Int64
        structs String
        values String
        lists String
        maybe_struct Map(LowCardinality(String), String)
        """);

    [Fact]
    public void A_message_within_itself_is_text() => AssertColumns(
        Tree.Descriptor,
        """
        name String
        left String
        right String
        children String
        named Map(LowCardinality(String), String)
        """);

    [Fact]
    public void Dictionaries_are_where_the_option_says() => AssertColumns(
        LowCardinalities.Descriptor,
        """
        text LowCardinality(String)
        raw LowCardinality(String)
        maybe LowCardinality(Nullable(String))
        list Array(LowCardinality(String))
        raw_list Array(LowCardinality(String))
        colors Array(LowCardinality(String))
        maybe_color LowCardinality(Nullable(String))
        """);

    [Fact]
    public void Options_of_table_and_columns_are_kept()
    {
        var table = TableSchema.FromDescriptor(Chosen.Descriptor);
        Assert.Equal("chosen", table.Name);
        Assert.Equal(["renamed"], table.OrderBy);
        Assert.Equal("tuple()", table.PartitionBy);
        Assert.Equal(7, table.TtlDays);
        Assert.Equal(
            ["renamed", "s_number", "s_text", "s_maybe", "s_list", "s_map", "s_first", "s_second", "overridden", "segment_row"],
            table.Columns.SkipLast(3).Select(c => c.Name));
        Assert.Equal("ZSTD(3)", table.Columns[0].Codec);
        var overridden = table.Columns.Single(c => c.Name == "overridden");
        Assert.Equal(("LowCardinality(String)", "String"), (overridden.Type, overridden.NativeType));
    }

    [Fact]
    public void Every_table_has_the_columns_of_the_system_last()
    {
        foreach (var table in Decoding.Tables.All.Select(TableSchema.FromDescriptor))
        {
            Assert.Equal(
                [("producer_id", "LowCardinality(String)", true), ("segment_id", "UInt64", true),
                    ("received_at", "DateTime64(3, 'UTC')", false)],
                table.Columns.TakeLast(3).Select(c => (c.Name, c.Type, c.IsInserted)));
            Assert.Equal("LowCardinality(UInt64)", table.Columns[^2].NativeType);
        }
    }

    [Fact]
    public void The_tables_of_the_server_are_those_of_wire_md()
    {
        Assert.Equal(
            ["driver_id", "order_id", "location_lat", "location_lon", "speed_kph", "trip_stage", "traffic_density",
                "zone_type", "timestamp", "anomaly_flags"],
            TableSchema.FromDescriptor(GpsPoint.Descriptor).Columns.SkipLast(3).Select(c => c.Name));
        Assert.Equal(
            "gps_points(driver_id,timestamp) events(event_type,entity_id,timestamp) "
            + "metric_samples(campaign_id,timestamp) orders(order_id,received_at)",
            string.Join(' ', Decoding.Tables.All.Take(4).Select(TableSchema.FromDescriptor)
                .Select(t => $"{t.Name}({string.Join(',', t.OrderBy)})")));
        Assert.Equal("toYYYYMM(received_at)", TableSchema.FromDescriptor(Order.Descriptor).PartitionBy);
    }

    [Fact]
    public void Names_of_enum_values_lose_their_prefix_unless_a_digit_is_left() => Assert.Equal(
        ["UNSPECIFIED", "RED", "DARK_BLUE", "PLAIN", "COLOR_4", "NEGATIVE", "FAR"],
        TablesReflection.Descriptor.EnumTypes.Single(e => e.Name == "Color").Values
            .Select(v => TypeNames.OfEnumValue(v.EnumDescriptor, v)));

    [Theory]
    [InlineData("WithoutOption", "no (ingest.v1.table) option")]
    [InlineData("BadTableName", "'bad name'")]
    [InlineData("NoTableName", "table name ''")]
    [InlineData("BadColumnName", "field a becomes column 'a`; DROP'")]
    [InlineData("NoColumns", "a table needs a column")]
    [InlineData("SystemColumn", "field producer_id and the column that every table has both become")]
    [InlineData("RenamedToSystemColumn", "both become column 'segment_id'")]
    [InlineData("Collision", "field a_x and field a.x both become column 'a_x'")]
    [InlineData("UnknownOrderBy", "order_by names 'b'")]
    [InlineData("NullableOrderBy", "order_by names 'a', but Nullable(Int32)")]
    [InlineData("MapOrderBy", "order_by names 'a', but Map(")]
    [InlineData("NegativeTtl", "ttl_days is negative")]
    [InlineData("LowCardinalityNumber", "field a is neither string nor bytes")]
    [InlineData("LowCardinalityMessage", "field a is neither string nor bytes")]
    [InlineData("MaxBytesOfNumber", "field a is not a single string or bytes")]
    [InlineData("MaxBytesOfList", "field a is not a single string or bytes")]
    [InlineData("MinOfInteger", "field a is not a single float or double")]
    [InlineData("MinAboveMax", "field a has a min that is not below its max")]
    [InlineData("NotBeforeOfNumber", "field a is not a single timestamp")]
    [InlineData("AheadOfList", "field a is not a single timestamp")]
    [InlineData("RulesOfSkipped", "field b is left out of the table")]
    [InlineData("FlattenedRules", "field a is not a single string or bytes")]
    public void A_message_that_cannot_be_a_table_is_refused_with_the_reason(string message, string reason)
    {
        var type = RefusedReflection.Descriptor.MessageTypes.Single(m => m.Name == message);
        var fault = Assert.Throws<SchemaException>(() => TableSchema.FromDescriptor(type));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
        Assert.Contains(type.FullName, fault.Message, StringComparison.Ordinal);
    }

    private static void AssertColumns(MessageDescriptor type, string expected, int? count = null)
    {
        var columns = TableSchema.FromDescriptor(type).Columns.SkipLast(3).ToList();
        Assert.Equal(
            expected.ReplaceLineEndings("\n"),
            string.Join('\n', columns.Take(count ?? columns.Count).Select(c => $"{c.Name} {c.Type}")));
    }
}
