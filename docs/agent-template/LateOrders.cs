using Ingest.Agents;
using Ingest.V1;

public sealed class LateOrders : Agent
{
    public LateOrders() => OnMessage<Order>("orders", async order =>
    {
        if (order.Status == OrderStatus.Placed && order.ReadyAt > order.DueAt)
        {
            await EmitAsync("alerts", order.OrderId, new Alert { Kind = "late_order", EntityId = order.OrderId });
        }
    });
}
