using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;

namespace Ingest.Server.Http2;

/// <inheritdoc/>
internal sealed class Http2Stream<TContext>(Http2Connection connection, int id, IHttpApplication<TContext> application)
    : Http2Stream(connection, id), IHostContextContainer<TContext>
    where TContext : notnull
{
    /// <inheritdoc/>
    TContext? IHostContextContainer<TContext>.HostContext { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync()
    {
        Exception? failure = null;
        TContext? context = default;
        try
        {
            if (IsGone)
            {
                return;
            }

            context = application.CreateContext(this);
            try
            {
                await application.ProcessRequestAsync(context);
                await CompleteAsync();
            }
            catch (Exception error)
            {
                failure = error;
                await FailAsync(error);
            }

            await FireOnCompletedAsync();
        }
        catch (Exception error)
        {
            failure = error;
            LogMessages.RequestFailed(Connection.Logger, error, Method, Path);
        }
        finally
        {
            if (context is not null)
            {
                application.DisposeContext(context, failure);
            }

            End();
        }
    }

    private async Task FailAsync(Exception error)
    {
        // Who has left cancels what runs for it.
        if (!IsGone || error is not (OperationCanceledException or IOException))
        {
            LogMessages.RequestFailed(Connection.Logger, error, Method, Path);
        }

        if (!IsGone)
        {
            Fail(error is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError);
            await CompleteAsync();
        }
    }
}
