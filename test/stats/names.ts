/** The names that tools rely on, in their order. */

export const STAT_NAMES =
  'pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,' +
  'weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,' +
  'rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,' +
  'hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,' +
  'comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,agent_code,' +
  'agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,agent_rise,agent_fall,' +
  'agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,' +
  'connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,' +
  'eint,idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,agg_server_status,' +
  'agg_server_check_status,agg_check_status,srid,sess_other,h1sess,h2sess,h3sess,req_other,h1req,h2req,' +
  'h3req,proto,priv_idle_cur,reqbin,reqbout,resbin,resbout,cache_hint_hits';

export const INFO_NAMES =
  'Name,Version,Release_date,Nbthread,Nbproc,Process_num,Pid,Uptime,Uptime_sec,Memmax_MB,PoolAlloc_MB,' +
  'PoolUsed_MB,PoolFailed,Ulimit-n,Maxsock,Maxconn,Hard_maxconn,CurrConns,CumConns,CumReq,MaxSslConns,' +
  'CurrSslConns,CumSslConns,Maxpipes,PipesUsed,PipesFree,ConnRate,ConnRateLimit,MaxConnRate,SessRate,' +
  'SessRateLimit,MaxSessRate,SslRate,SslRateLimit,MaxSslRate,SslFrontendKeyRate,SslFrontendMaxKeyRate,' +
  'SslFrontendSessionReuse_pct,SslBackendKeyRate,SslBackendMaxKeyRate,SslCacheLookups,SslCacheMisses,' +
  'CompressBpsIn,CompressBpsOut,CompressBpsRateLim,ZlibMemUsage,MaxZlibMemUsage,Tasks,Run_queue,' +
  'Idle_pct,node,description,Stopping,Jobs,Unstoppable Jobs,Listeners,ActivePeers,ConnectedPeers,' +
  'DroppedLogs,BusyPolling,FailedResolutions,TotalBytesOut,TotalSplicedBytesOut,BytesOutRate,' +
  'DebugCommandsIssued,CumRecvLogs,Build info,Memmax_bytes,PoolAlloc_bytes,PoolUsed_bytes,' +
  'Start_time_sec,Tainted,TotalWarnings,MaxconnReached,BootTime_ms,Niced_tasks,CurrStreams,CumStreams,' +
  'BlockedTrafficWarnings,PatternsAdded,PatternsFreed,NbThreadGroups';
