using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using Ingest.Columns;
using Ingest.Schema;
using Ingest.V1;
using StringColumn = Ingest.Columns.StringColumn;

namespace Ingest.Decoding;

/// <summary>A rule on one column, checked when a row has been read.</summary>
/// <remarks>Hot: a switch and a comparison a rule and row.</remarks>
internal sealed partial class RowCheck
{
    // What DateTime64(6) can hold: 1900-01-01 to the end of 2299, in Unix seconds.
    private const long EngineMinSeconds = -2_208_988_800;
    private const long EngineMaxSeconds = 10_413_791_999;

    // google.protobuf.Duration: about 10,000 years either way.
    private const long DurationMaxSeconds = 315_576_000_000;
    private const int NanosPerSecond = 1_000_000_000;

    private readonly Kind _kind;
    private readonly int _column;
    private readonly double _min = double.NegativeInfinity;
    private readonly double _max = double.PositiveInfinity;
    private readonly long _minSeconds;
    private readonly long _aheadSeconds = -1;
    private readonly int _maxBytes;

    private RowCheck(FieldPlan plan, Kind kind)
    {
        Plan = plan;
        (Word, Bit) = (plan.Word, plan.Bit);
        _column = plan.Column;
        _kind = kind;
        ColumnRules? rules = plan.Node.Rules;
        if (rules is null)
        {
            _minSeconds = EngineMinSeconds;
            return;
        }

        _min = rules.HasMin ? rules.Min : double.MinValue;
        _max = rules.HasMax ? rules.Max : double.MaxValue;
        _maxBytes = (int)Math.Min(rules.MaxBytes, int.MaxValue);
        _minSeconds = Math.Max(rules.NotBefore?.Seconds ?? EngineMinSeconds, EngineMinSeconds);
        _aheadSeconds = rules.AtMostAhead?.Seconds ?? -1;
    }

    private enum Kind
    {
        Float,
        Double,
        Length,
        Zero,
        Timestamp,
        Duration,
    }

    public FieldPlan Plan { get; }

    /// <summary>Word of the field's bit.</summary>
    public int Word { get; }

    /// <summary>The bit that says that the row has the field.</summary>
    public ulong Bit { get; }

    /// <summary>The bounds of a number; null for other rules.</summary>
    public (double Min, double Max)? Range => _kind is Kind.Float or Kind.Double ? (_min, _max) : null;

    /// <summary>The most bytes of a text; null for other rules.</summary>
    public int? MaxBytes => _kind is Kind.Length ? _maxBytes : null;

    /// <summary>
    /// The bounds of a timestamp in Unix seconds, and how far it may be ahead of the server's clock, -1 for no such bound;
    /// null for other rules.
    /// </summary>
    public (long Min, long Max, long Ahead)? Seconds =>
        _kind is Kind.Timestamp ? (_minSeconds, EngineMaxSeconds, _aheadSeconds) : null;

    /// <summary>
    /// Whether the rule is broken by 0, so also by a row that does not have the field: it means 0 there.
    /// </summary>
    public bool IsBrokenByZero =>
        _kind is Kind.Float or Kind.Double && !Plan.Nullable && !(_min <= 0 && _max >= 0);

    /// <summary>
    /// Makes the check that a required number without presence needs: 0 is not there, since it is not sent.
    /// </summary>
    public static bool TryCreateForZero(FieldPlan plan, [NotNullWhen(true)] out RowCheck? check)
    {
        bool applies = plan.Node.Rules?.Required == true && plan.Node.Shape == FieldShape.Single
            && plan.Node.Kind is < ValueKind.String or ValueKind.Enum;
        check = applies ? new RowCheck(plan, Kind.Zero) : null;
        return applies;
    }

    /// <summary>Makes the check that a field needs, if it needs one.</summary>
    public static bool TryCreate(FieldPlan plan, [NotNullWhen(true)] out RowCheck? check)
    {
        ColumnRules? rules = plan.Node.Rules;
        bool bounded = rules is not null && (rules.HasMin || rules.HasMax || rules.Finite);
        bool single = plan.Node.Shape is FieldShape.Single or FieldShape.Optional;
        check = plan.Node.Kind switch
        {
            _ when !single => null,
            ValueKind.Timestamp => new RowCheck(plan, Kind.Timestamp),
            ValueKind.Duration => new RowCheck(plan, Kind.Duration),
            ValueKind.Float when bounded => new RowCheck(plan, Kind.Float),
            ValueKind.Double when bounded => new RowCheck(plan, Kind.Double),
            ValueKind.String or ValueKind.Bytes when rules?.MaxBytes > 0 => new RowCheck(plan, Kind.Length),
            _ => null,
        };
        return check is not null;
    }

    /// <summary>Whether a time lies in what a column without rules takes.</summary>
    public static bool IsTimestamp(long seconds, int nanos) =>
        seconds is >= EngineMinSeconds and <= EngineMaxSeconds && (uint)nanos < NanosPerSecond;

    /// <summary>Whether a duration is one that protobuf defines.</summary>
    public static bool IsDuration(long seconds, int nanos) =>
        seconds is >= -DurationMaxSeconds and <= DurationMaxSeconds
        && nanos is > -NanosPerSecond and < NanosPerSecond
        && (seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0));

    /// <summary>Whether the row's value satisfies the rule. The row has the field.</summary>
    /// <param name="batch">The batch with the row.</param>
    /// <param name="row">The row.</param>
    /// <param name="nowSeconds">The server's clock, Unix seconds.</param>
    public bool IsSatisfied(Batch batch, int row, long nowSeconds)
    {
        Column column = batch.Columns[_column];
        if (Plan.Nullable && column is NullableColumn nullable)
        {
            column = nullable.Values;
        }

        switch (_kind)
        {
            case Kind.Float:
                float single = Unsafe.ReadUnaligned<float>(ref Unsafe.As<FixedColumn>(column).Slot(row));
                return single >= _min && single <= _max;
            case Kind.Double:
                double value = Unsafe.ReadUnaligned<double>(ref Unsafe.As<FixedColumn>(column).Slot(row));
                return value >= _min && value <= _max;
            case Kind.Length:
                int length = column is StringColumn text
                    ? text.LastLength
                    : Unsafe.As<LowCardinalityColumn>(column).LastLength;
                return length <= _maxBytes;
            case Kind.Zero:
                return column is LowCardinalityColumn names
                    ? !names.IsZero(row)
                    : Unsafe.As<FixedColumn>(column).Value(row).ContainsAnyExcept((byte)0);
            case Kind.Timestamp:
                (long seconds, int nanos) = batch.Moments[_column];
                long max = _aheadSeconds < 0
                    ? EngineMaxSeconds
                    : Math.Min(nowSeconds + _aheadSeconds, EngineMaxSeconds);
                return seconds >= _minSeconds && seconds <= max && (uint)nanos < NanosPerSecond;
            default:
                (long wholeSeconds, int parts) = batch.Moments[_column];
                return IsDuration(wholeSeconds, parts);
        }
    }

    /// <summary>Says what is wrong with the row's value.</summary>
    public RowFault Fault() => _kind switch
    {
        Kind.Zero => Missing(Plan),
        Kind.Length => new RowFault(
            Plan.Node.Path, RowErrorCode.TooLong, $"longer than {_maxBytes} bytes"),
        Kind.Timestamp => new RowFault(
            Plan.Node.Path, RowErrorCode.OutOfRange,
            _aheadSeconds < 0
                ? $"not between {Day(_minSeconds)} and {Day(EngineMaxSeconds)}"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"not between {Day(_minSeconds)} and {_aheadSeconds / 3600.0:0.##} hours ahead of the server's clock")),
        Kind.Duration => new RowFault(Plan.Node.Path, RowErrorCode.OutOfRange, "not a duration"),
        _ => new RowFault(Plan.Node.Path, RowErrorCode.OutOfRange, RangeText()),
    };

    /// <summary>Says that a row does not have a field.</summary>
    public static RowFault Missing(FieldPlan plan) =>
        new(plan.Node.Path, RowErrorCode.Missing, "missing or empty");

    private string RangeText() => (_min > double.MinValue, _max < double.MaxValue) switch
    {
        (true, true) => string.Create(CultureInfo.InvariantCulture, $"not between {_min} and {_max}"),
        (true, false) => string.Create(CultureInfo.InvariantCulture, $"not finite or less than {_min}"),
        (false, true) => string.Create(CultureInfo.InvariantCulture, $"not finite or greater than {_max}"),
        _ => "not finite",
    };

    private static string Day(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
