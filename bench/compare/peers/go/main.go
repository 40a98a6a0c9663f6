// grpc-go: decodes every point and drops it. peer PORT
package main

import (
	"io"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"

	"ingest/peer"
)

// Debian's grpc has the codec of the protobuf runtime before this one, which cannot read messages of today's.
type codec struct{}

func (codec) Marshal(v interface{}) ([]byte, error)      { return proto.Marshal(v.(proto.Message)) }
func (codec) Unmarshal(data []byte, v interface{}) error { return proto.Unmarshal(data, v.(proto.Message)) }
func (codec) Name() string                               { return "proto" }

func init() { encoding.RegisterCodec(codec{}) }

type service struct {
	peer.UnimplementedIngestServiceServer
}

func (service) StreamGpsPoints(stream peer.IngestService_StreamGpsPointsServer) error {
	var count int64
	request := new(peer.StreamGpsPointsRequest)
	for {
		err := stream.RecvMsg(request)
		if err == io.EOF {
			return stream.SendAndClose(&peer.StreamGpsPointsResponse{AcceptedCount: count})
		}
		if err != nil {
			return err
		}
		for _, point := range request.Points {
			if point.DriverId != "" {
				count++
			}
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(64<<20), grpc.InitialWindowSize(4<<20), grpc.InitialConnWindowSize(8<<20),
		grpc.ReadBufferSize(128<<10))
	peer.RegisterIngestServiceServer(server, service{})
	log.Fatal(server.Serve(listener))
}
