return await Ingest.Server.ServerHost.RunAsync(args, Console.Out, Console.Error);
