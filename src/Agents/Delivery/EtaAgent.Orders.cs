using Ingest.Feed;
using Ingest.V1;

namespace Ingest.Agents.Delivery;

/// <content>What the rows of orders say.</content>
public sealed partial class EtaAgent
{
    private const long MicrosAMinute = 60_000_000;

    private static readonly Dictionary<string, OrderStatus> s_statuses = new(Utf8Names.Instance)
    {
        ["PLACED"] = OrderStatus.Placed,
        ["READY"] = OrderStatus.Ready,
        ["PICKED_UP"] = OrderStatus.PickedUp,
        ["DELIVERED"] = OrderStatus.Delivered,
        ["CANCELLED"] = OrderStatus.Cancelled,
    };

    private void TakeOrders(AgentRows rows)
    {
        CommittedBlock block = rows.Block;
        BlockTexts ids = block.Texts("order_id");
        BlockTexts restaurants = block.Texts("restaurant_id");
        BlockTexts statuses = block.Texts("status");
        BlockTexts drivers = block.Texts("driver_id");
        ReadOnlySpan<double> pickupLats = block.Numbers<double>("pickup_lat");
        ReadOnlySpan<double> pickupLons = block.Numbers<double>("pickup_lon");
        ReadOnlySpan<double> dropoffLats = block.Numbers<double>("dropoff_lat");
        ReadOnlySpan<double> dropoffLons = block.Numbers<double>("dropoff_lon");
        ReadOnlySpan<long> placed = block.Numbers<long>("placed_at");
        ReadOnlySpan<long> ready = block.Numbers<long>("ready_at");
        long received = block.ReceivedAt.ToUnixTimeMilliseconds() * 1000;
        for (int i = 0; i < rows.Count; i++)
        {
            int row = rows[i];
            Take(
                new OrderRow(
                    ids.String(row), restaurants.String(row), new GeoPoint(pickupLats[row], pickupLons[row]),
                    new GeoPoint(dropoffLats[row], dropoffLons[row]), placed[row], ready[row], StatusOf(statuses[row]),
                    drivers.String(row)),
                received, i);
        }
    }

    private void Take(in OrderRow row, long received, int? index)
    {
        if (_finished.Contains(row.OrderId))
        {
            return;
        }

        bool isOver = row.Status is OrderStatus.Delivered or OrderStatus.Cancelled;
        if (!_orders.TryGetValue(row.OrderId, out TrackedOrder? order))
        {
            if (isOver || _orders.Count >= MaxOrders)
            {
                return;
            }

            _orders.Add(row.OrderId, order = new TrackedOrder { OrderId = row.OrderId });
        }
        else if (Rank(row.Status) < Rank(order.Status))
        {
            return; // An older row of the order, in a batch that was later.
        }

        order.RestaurantId = row.RestaurantId;
        order.Pickup = row.Pickup.IsKnown ? row.Pickup : order.Pickup;
        order.Dropoff = row.Dropoff.IsKnown ? row.Dropoff : order.Dropoff;
        order.PlacedAt = row.PlacedAt;
        order.ReadyAt = row.ReadyAt != 0 ? row.ReadyAt : order.ReadyAt;
        if (row.DriverId.Length > 0 && row.DriverId != order.DriverId)
        {
            Assign(order, row.DriverId);
        }

        long now = NowOf(order, received);
        TakeStatus(order, row.Status, now);
        if (isOver)
        {
            Finish(order, row.Status, now);
            return;
        }

        order.UpdatedAt = now;
        _latest = Math.Max(_latest, now);
        if (index is { } place)
        {
            _drivers.TryGetValue(order.DriverId, out TrackedDriver? driver);
            Predict(order, driver?.Place ?? default, now, place);
        }
    }

    private void TakeStatus(TrackedOrder order, OrderStatus status, long now)
    {
        bool isNew = status != order.Status;
        order.Status = status;
        if (!isNew)
        {
            return;
        }

        if (status == OrderStatus.Ready)
        {
            order.ReadyAt = order.ReadyAt == 0 || order.ReadyAt > now ? now : order.ReadyAt;
            _model.Preparation.Learn(order.RestaurantId, (order.ReadyAt - order.PlacedAt) / (double)MicrosAMinute);
        }
        else if (status == OrderStatus.PickedUp)
        {
            order.Stage = EtaStage.ToDropoff;
        }
    }

    private void Finish(TrackedOrder order, OrderStatus status, long now)
    {
        if (status == OrderStatus.Delivered)
        {
            _model.Learn(order, now);
        }

        Remove(order);
    }

    // A row of an order has no time of its own. It is when it was received, unless the driver's points say that what is
    // given is history: then it is theirs.
    private long NowOf(TrackedOrder order, long received)
    {
        long known = _drivers.TryGetValue(order.DriverId, out TrackedDriver? driver) && driver.At != 0
            ? driver.At
            : Math.Max(order.PlacedAt, order.UpdatedAt);
        return Math.Abs(received - known) < 10 * MicrosAMinute || order.UpdatedAt > known
            ? Math.Max(received, known)
            : known;
    }

    private static OrderStatus StatusOf(ReadOnlySpan<byte> name) =>
        s_statuses.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out OrderStatus status)
            ? status
            : OrderStatus.Placed;

    private static int Rank(OrderStatus status) => status == OrderStatus.Cancelled ? int.MaxValue : (int)status;

    private readonly record struct OrderRow(
        string OrderId, string RestaurantId, GeoPoint Pickup, GeoPoint Dropoff, long PlacedAt, long ReadyAt,
        OrderStatus Status, string DriverId);
}
