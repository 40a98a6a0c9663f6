using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>Compiles a filter for the payloads that a subscription may meet, and says what is wrong with it.</summary>
/// <remarks>
/// A condition is compiled for each kind of payload. A field that only some kinds have is never satisfied by the
/// others; one that none has, or that has a type in none with which the condition makes sense, is a fault.
/// </remarks>
internal sealed class FilterCompiler
{
    private const int MaxDepth = 32;
    private const int MaxConditions = 1000;

    private readonly IReadOnlyList<PayloadKind> _kinds;
    private readonly bool _isLenient;
    private int _count;

    private FilterCompiler(IReadOnlyList<PayloadKind> kinds, bool isLenient) =>
        (_kinds, _isLenient) = (kinds, isLenient);

    /// <summary>Checks a filter against the kinds of payloads that it is for.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="kinds">The kinds; one at least.</param>
    /// <exception cref="TopicException">It is none; the field names the condition.</exception>
    public static void Check(Filter filter, IReadOnlyList<PayloadKind> kinds) =>
        new FilterCompiler(kinds, isLenient: false).Build(filter, "filter", 1);

    /// <summary>Compiles a filter that has been checked, for a kind of payload.</summary>
    public static FilterNode Compile(Filter filter, PayloadKind kind) =>
        new FilterCompiler([kind], isLenient: true).Build(filter, "filter", 1)[0];

    // One node a kind.
    private FilterNode[] Build(Filter filter, string at, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new TopicException(at, $"A filter has up to {MaxDepth} levels.");
        }

        switch (filter.FilterCase)
        {
            case Filter.FilterOneofCase.AllOf:
                return BuildList(filter.AllOf, $"{at}.all_of", depth, isAll: true);
            case Filter.FilterOneofCase.AnyOf:
                return BuildList(filter.AnyOf, $"{at}.any_of", depth, isAll: false);
            case Filter.FilterOneofCase.Not:
                return [.. Build(filter.Not, $"{at}.not", depth + 1).Select(node => new Negation(node))];
            case Filter.FilterOneofCase.Comparison:
                return BuildComparison(filter.Comparison, $"{at}.comparison");
            case Filter.FilterOneofCase.Membership:
                return BuildMembership(filter.Membership, $"{at}.membership");
            case Filter.FilterOneofCase.Within:
                Area area = AreaOf(filter.Within, $"{at}.within");
                return BuildLeaf(filter.Within.Field, $"{at}.within", field => field.Within(area));
            default:
                throw new TopicException(
                    at, "A filter is one of all_of, any_of, not, comparison, membership and within.");
        }
    }

    private FilterNode[] BuildList(FilterList list, string at, int depth, bool isAll)
    {
        if (list.Filters.Count == 0)
        {
            throw new TopicException(at, "A list of conditions needs one at least.");
        }

        FilterNode[][] nodes =
            [.. list.Filters.Select((filter, i) => Build(filter, $"{at}.filters[{i}]", depth + 1))];
        return [.. _kinds.Select((_, kind) => new Logic([.. nodes.Select(node => node[kind])], isAll))];
    }

    private FilterNode[] BuildComparison(Comparison comparison, string at)
    {
        ComparisonOperator wanted = comparison.Operator;
        if (wanted == ComparisonOperator.Unspecified || !Enum.IsDefined(wanted))
        {
            throw new TopicException($"{at}.operator", "A comparison needs an operator.");
        }

        if (wanted == ComparisonOperator.Exists)
        {
            return BuildLeaf(comparison.Field, at, field => field.Exists());
        }

        CheckValue(comparison.Value, $"{at}.value");
        bool isNegated = wanted == ComparisonOperator.NotEqual;
        FilterNode[] nodes = BuildLeaf(
            comparison.Field, at,
            field => field.Compare(isNegated ? ComparisonOperator.Equal : wanted, [comparison.Value]));
        return isNegated ? [.. nodes.Select(node => node is Never ? node : new Negation(node))] : nodes;
    }

    private FilterNode[] BuildMembership(Membership membership, string at)
    {
        if (membership.Values.Count == 0)
        {
            throw new TopicException($"{at}.values", "A membership needs a value at least.");
        }

        for (int i = 0; i < membership.Values.Count; i++)
        {
            CheckValue(membership.Values[i], $"{at}.values[{i}]");
        }

        _count += membership.Values.Count;
        return BuildLeaf(membership.Field, at, field => field.Compare(ComparisonOperator.Equal, membership.Values));
    }

    private FilterNode[] BuildLeaf(string path, string at, Func<FilterField, FilterNode> compile)
    {
        if (++_count > MaxConditions)
        {
            throw new TopicException(at, $"A filter has up to {MaxConditions} conditions and values.");
        }

        var nodes = new FilterNode[_kinds.Count];
        string? fault = null;
        bool isFit = _isLenient;
        for (int i = 0; i < nodes.Length; i++)
        {
            try
            {
                nodes[i] = compile(FilterField.Find(_kinds[i].Payload, path));
                isFit = true;
            }
            catch (FilterFault e)
            {
                nodes[i] = new Never();

                // Of several, that of a payload which has the field says more.
                fault = fault is null || !e.IsUnknownField ? e.Message : fault;
            }
        }

        return isFit ? nodes : throw new TopicException($"{at}.field", fault!);
    }

    private static void CheckValue(Scalar? value, string at)
    {
        if (value is null || value.ValueCase == Scalar.ValueOneofCase.None)
        {
            throw new TopicException(at, "A value is one of text, number and boolean.");
        }

        if (value.ValueCase == Scalar.ValueOneofCase.Number && double.IsNaN(value.Number))
        {
            throw new TopicException(at, "NaN compares with nothing.");
        }
    }

    private static Area AreaOf(Within within, string at)
    {
        switch (within.AreaCase)
        {
            case Within.AreaOneofCase.Circle:
                CheckPlace(within.Circle.Center, $"{at}.circle.center");
                return within.Circle.RadiusMeters is >= 0 and < double.PositiveInfinity
                    ? new Area(within.Circle)
                    : throw new TopicException(
                        $"{at}.circle.radius_meters", "A radius is a number of metres, 0 or more.");
            case Within.AreaOneofCase.Box:
                CheckPlace(within.Box.SouthWest, $"{at}.box.south_west");
                CheckPlace(within.Box.NorthEast, $"{at}.box.north_east");
                return within.Box.SouthWest.Lat <= within.Box.NorthEast.Lat
                    ? new Area(within.Box)
                    : throw new TopicException($"{at}.box", "The south-west corner of a box lies north of the other.");
            default:
                throw new TopicException(at, "An area is one of circle and box.");
        }
    }

    private static void CheckPlace(Location? place, string at)
    {
        if (place is null || place.Lat is not (>= -90 and <= 90) || place.Lon is not (>= -180 and <= 180))
        {
            throw new TopicException(at, "A place has lat from -90 to 90 and lon from -180 to 180.");
        }
    }
}
