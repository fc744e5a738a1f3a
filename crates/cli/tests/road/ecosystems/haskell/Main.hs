module Main (main) where

import Control.Exception (SomeException, finally, try)
import Control.Monad (forever)
import qualified Data.ByteString.Char8 as Bytes
import Network.Socket
import Network.Socket.ByteString (recv, sendAll)
import System.Environment (lookupEnv)

body :: Bytes.ByteString
body = Bytes.pack "Hello from Haskell\n"

main :: IO ()
main = do
    port <- maybe 8080 read <$> lookupEnv "PORT"
    listener <- socket AF_INET Stream defaultProtocol
    setSocketOption listener ReuseAddr 1
    bind listener (SockAddrInet port (tupleToHostAddress (0, 0, 0, 0)))
    listen listener 16
    forever $ do
        (client, _) <- accept listener
        _ <- try (answer client `finally` close client) :: IO (Either SomeException ())
        pure ()

answer :: Socket -> IO ()
answer client = do
    _ <- recv client 4096
    sendAll client $ Bytes.concat
        [ Bytes.pack "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
        , Bytes.pack (show (Bytes.length body))
        , Bytes.pack "\r\n\r\n"
        , body
        ]
