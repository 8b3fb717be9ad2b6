; ModuleID = "gn_f32_o1_g2_c3_i301_relu"
target triple = "wasm32-unknown-wasi"
target datalayout = ""

define internal <4 x float> @"relu_f32x4"(<4 x float> %"x") alwaysinline nounwind
{
entry:
  br label %"body"
body:
  %".4" = fcmp ogt <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, %"x"
  %".5" = select  <4 x i1> %".4", <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, <4 x float> %"x"
  ret <4 x float> %".5"
}

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase0"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" noinline nounwind
{
entry:
  %"redo_square" = alloca double
  %"redo_rest" = alloca double
  %"redo" = alloca double
  %"block_m2" = alloca double
  %"block_mean" = alloca double
  %"square_4" = alloca <4 x float>
  %"sum_4" = alloca <4 x float>
  %"square_3" = alloca <4 x float>
  %"sum_3" = alloca <4 x float>
  %"square_2" = alloca <4 x float>
  %"sum_2" = alloca <4 x float>
  %"square" = alloca <4 x float>
  %"sum" = alloca <4 x float>
  br label %"body"
body:
  br label %"item_header"
item_header:
  %"item" = phi  i64 [%"item_first", %"body"], [%".345", %"c_after"]
  %".11" = icmp slt i64 %"item", %"item_last"
  br i1 %".11", label %"item_body", label %"item_after"
item_body:
  %".13" = urem i64 %"item", 2
  %".14" = udiv i64 %"item", 2
  %".15" = mul nsw i64 %".14", 1806
  %".16" = mul nsw i64 %".13", 903
  %".17" = add nsw i64 %".15", %".16"
  %".18" = getelementptr inbounds float, ptr %"x", i64 %".17"
  %".19" = load float, ptr %".18", align 4
  %".20" = insertelement <4 x float> <float undef, float undef, float undef, float undef>, float %".19", i32 0
  %".21" = shufflevector <4 x float> %".20", <4 x float> <float undef, float undef, float undef, float undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"sum"
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square"
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"sum_2"
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square_2"
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"sum_3"
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square_3"
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"sum_4"
  store <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square_4"
  br label %"i_header"
item_after:
  ret void
i_header:
  %"i" = phi  i64 [0, %"item_body"], [%".93", %"i_body"]
  %".31" = add nsw i64 %"i", 16
  %".32" = icmp sle i64 %".31", 903
  br i1 %".32", label %"i_body", label %"i_after"
i_body:
  %".34" = mul nsw i64 %".14", 1806
  %".35" = mul nsw i64 %".13", 903
  %".36" = add nsw i64 %".34", %".35"
  %".37" = add nsw i64 %".36", %"i"
  %".38" = getelementptr inbounds float, ptr %"x", i64 %".37"
  %".39" = load <4 x float>, ptr %".38", align 4
  %".40" = fsub <4 x float> %".39", %".21"
  %".41" = load <4 x float>, ptr %"sum"
  %".42" = fadd <4 x float> %".41", %".40"
  store <4 x float> %".42", ptr %"sum"
  %".44" = load <4 x float>, ptr %"square"
  %".45" = fmul <4 x float> %".40", %".40"
  %".46" = fadd <4 x float> %".45", %".44"
  store <4 x float> %".46", ptr %"square"
  %".48" = mul nsw i64 %".14", 1806
  %".49" = mul nsw i64 %".13", 903
  %".50" = add nsw i64 %".48", %".49"
  %".51" = add nsw i64 %"i", 4
  %".52" = add nsw i64 %".50", %".51"
  %".53" = getelementptr inbounds float, ptr %"x", i64 %".52"
  %".54" = load <4 x float>, ptr %".53", align 4
  %".55" = fsub <4 x float> %".54", %".21"
  %".56" = load <4 x float>, ptr %"sum_2"
  %".57" = fadd <4 x float> %".56", %".55"
  store <4 x float> %".57", ptr %"sum_2"
  %".59" = load <4 x float>, ptr %"square_2"
  %".60" = fmul <4 x float> %".55", %".55"
  %".61" = fadd <4 x float> %".60", %".59"
  store <4 x float> %".61", ptr %"square_2"
  %".63" = mul nsw i64 %".14", 1806
  %".64" = mul nsw i64 %".13", 903
  %".65" = add nsw i64 %".63", %".64"
  %".66" = add nsw i64 %"i", 8
  %".67" = add nsw i64 %".65", %".66"
  %".68" = getelementptr inbounds float, ptr %"x", i64 %".67"
  %".69" = load <4 x float>, ptr %".68", align 4
  %".70" = fsub <4 x float> %".69", %".21"
  %".71" = load <4 x float>, ptr %"sum_3"
  %".72" = fadd <4 x float> %".71", %".70"
  store <4 x float> %".72", ptr %"sum_3"
  %".74" = load <4 x float>, ptr %"square_3"
  %".75" = fmul <4 x float> %".70", %".70"
  %".76" = fadd <4 x float> %".75", %".74"
  store <4 x float> %".76", ptr %"square_3"
  %".78" = mul nsw i64 %".14", 1806
  %".79" = mul nsw i64 %".13", 903
  %".80" = add nsw i64 %".78", %".79"
  %".81" = add nsw i64 %"i", 12
  %".82" = add nsw i64 %".80", %".81"
  %".83" = getelementptr inbounds float, ptr %"x", i64 %".82"
  %".84" = load <4 x float>, ptr %".83", align 4
  %".85" = fsub <4 x float> %".84", %".21"
  %".86" = load <4 x float>, ptr %"sum_4"
  %".87" = fadd <4 x float> %".86", %".85"
  store <4 x float> %".87", ptr %"sum_4"
  %".89" = load <4 x float>, ptr %"square_4"
  %".90" = fmul <4 x float> %".85", %".85"
  %".91" = fadd <4 x float> %".90", %".89"
  store <4 x float> %".91", ptr %"square_4"
  %".93" = add nsw i64 %"i", 16
  br label %"i_header", !llvm.loop !2
i_after:
  %".95" = mul nsw i64 %".14", 1806
  %".96" = mul nsw i64 %".13", 903
  %".97" = add nsw i64 %".95", %".96"
  %".98" = add nsw i64 %".97", 896
  %".99" = getelementptr inbounds float, ptr %"x", i64 %".98"
  %".100" = load <4 x float>, ptr %".99", align 4
  %".101" = fsub <4 x float> %".100", %".21"
  %".102" = load <4 x float>, ptr %"sum"
  %".103" = fadd <4 x float> %".102", %".101"
  store <4 x float> %".103", ptr %"sum"
  %".105" = load <4 x float>, ptr %"square"
  %".106" = fmul <4 x float> %".101", %".101"
  %".107" = fadd <4 x float> %".106", %".105"
  store <4 x float> %".107", ptr %"square"
  %".109" = mul nsw i64 %".14", 1806
  %".110" = mul nsw i64 %".13", 903
  %".111" = add nsw i64 %".109", %".110"
  %".112" = add nsw i64 %".111", 900
  %".113" = getelementptr inbounds float, ptr %"x", i64 %".112"
  %".114" = call <4 x float> @"load_part_f32x4"(ptr %".113", i64 3, <4 x float> %".21")
  %".115" = fsub <4 x float> %".114", %".21"
  %".116" = load <4 x float>, ptr %"sum"
  %".117" = fadd <4 x float> %".116", %".115"
  store <4 x float> %".117", ptr %"sum"
  %".119" = load <4 x float>, ptr %"square"
  %".120" = fmul <4 x float> %".115", %".115"
  %".121" = fadd <4 x float> %".120", %".119"
  store <4 x float> %".121", ptr %"square"
  %".123" = sitofp i64 903 to double
  %".124" = load <4 x float>, ptr %"sum"
  %".125" = load <4 x float>, ptr %"sum_2"
  %".126" = fadd <4 x float> %".124", %".125"
  %".127" = load <4 x float>, ptr %"sum_3"
  %".128" = load <4 x float>, ptr %"sum_4"
  %".129" = fadd <4 x float> %".127", %".128"
  %".130" = fadd <4 x float> %".126", %".129"
  %".131" = fpext <4 x float> %".130" to <4 x double>
  %".132" = shufflevector <4 x double> %".131", <4 x double> %".131", <2 x i32> <i32 0, i32 1>
  %".133" = shufflevector <4 x double> %".131", <4 x double> %".131", <2 x i32> <i32 2, i32 3>
  %".134" = fadd <2 x double> %".132", %".133"
  %".135" = shufflevector <2 x double> %".134", <2 x double> %".134", <1 x i32> <i32 0>
  %".136" = shufflevector <2 x double> %".134", <2 x double> %".134", <1 x i32> <i32 1>
  %".137" = fadd <1 x double> %".135", %".136"
  %".138" = extractelement <1 x double> %".137", i32 0
  %".139" = load <4 x float>, ptr %"square"
  %".140" = load <4 x float>, ptr %"square_2"
  %".141" = fadd <4 x float> %".139", %".140"
  %".142" = load <4 x float>, ptr %"square_3"
  %".143" = load <4 x float>, ptr %"square_4"
  %".144" = fadd <4 x float> %".142", %".143"
  %".145" = fadd <4 x float> %".141", %".144"
  %".146" = fpext <4 x float> %".145" to <4 x double>
  %".147" = shufflevector <4 x double> %".146", <4 x double> %".146", <2 x i32> <i32 0, i32 1>
  %".148" = shufflevector <4 x double> %".146", <4 x double> %".146", <2 x i32> <i32 2, i32 3>
  %".149" = fadd <2 x double> %".147", %".148"
  %".150" = shufflevector <2 x double> %".149", <2 x double> %".149", <1 x i32> <i32 0>
  %".151" = shufflevector <2 x double> %".149", <2 x double> %".149", <1 x i32> <i32 1>
  %".152" = fadd <1 x double> %".150", %".151"
  %".153" = extractelement <1 x double> %".152", i32 0
  %".154" = fdiv double %".138", %".123"
  %".155" = fpext float %".19" to double
  %".156" = fadd double %".155", %".154"
  store double %".156", ptr %"block_mean"
  %".158" = fmul double %".138", %".154"
  %".159" = fsub double %".153", %".158"
  store double %".159", ptr %"block_m2"
  %".161" = load double, ptr %"block_m2"
  %".162" = fmul double %".161", 0x4030000000000000
  %".163" = fcmp olt double 0x47efffffe0000000, %".162"
  %".164" = select  i1 %".163", double 0x47efffffe0000000, double %".162"
  %".165" = fcmp ole double %".153", %".164"
  %".166" = xor i1 %".165", -1
  br i1 %".166", label %"i_after.if", label %"i_after.endif"
i_after.if:
  store double              0x0, ptr %"redo"
  br label %"i_2_header"
i_after.endif:
  %".220" = load double, ptr %"block_mean"
  %".221" = load double, ptr %"block_m2"
  %".222" = fcmp ogt double              0x0, %".221"
  %".223" = select  i1 %".222", double              0x0, double %".221"
  %".224" = fdiv double %".223", %".123"
  %".225" = fadd double %".224", 0x3f50624dd2f1a9fc
  %".226" = call double @"llvm.sqrt.f64"(double %".225")
  %".227" = fdiv double 0x3ff0000000000000, %".226"
  %".228" = fptrunc double %".220" to float
  %".229" = fpext float %".228" to double
  %".230" = fsub double %".220", %".229"
  %".231" = fptrunc double %".230" to float
  %".232" = fptrunc double %".227" to float
  br label %"c_header"
i_2_header:
  %"i_2" = phi  i64 [0, %"i_after.if"], [%".182", %"i_2_body"]
  %".170" = icmp slt i64 %"i_2", 903
  br i1 %".170", label %"i_2_body", label %"i_2_after"
i_2_body:
  %".172" = load double, ptr %"redo"
  %".173" = mul nsw i64 %".14", 1806
  %".174" = mul nsw i64 %".13", 903
  %".175" = add nsw i64 %".173", %".174"
  %".176" = add nsw i64 %".175", %"i_2"
  %".177" = getelementptr inbounds float, ptr %"x", i64 %".176"
  %".178" = load float, ptr %".177", align 4
  %".179" = fpext float %".178" to double
  %".180" = fadd double %".172", %".179"
  store double %".180", ptr %"redo"
  %".182" = add nsw i64 %"i_2", 1
  br label %"i_2_header", !llvm.loop !3
i_2_after:
  %".184" = load double, ptr %"redo"
  %".185" = fdiv double %".184", %".123"
  store double              0x0, ptr %"redo_rest"
  store double              0x0, ptr %"redo_square"
  br label %"i_3_header"
i_3_header:
  %"i_3" = phi  i64 [0, %"i_2_after"], [%".206", %"i_3_body"]
  %".189" = icmp slt i64 %"i_3", 903
  br i1 %".189", label %"i_3_body", label %"i_3_after"
i_3_body:
  %".191" = mul nsw i64 %".14", 1806
  %".192" = mul nsw i64 %".13", 903
  %".193" = add nsw i64 %".191", %".192"
  %".194" = add nsw i64 %".193", %"i_3"
  %".195" = getelementptr inbounds float, ptr %"x", i64 %".194"
  %".196" = load float, ptr %".195", align 4
  %".197" = fpext float %".196" to double
  %".198" = fsub double %".197", %".185"
  %".199" = load double, ptr %"redo_rest"
  %".200" = fadd double %".199", %".198"
  store double %".200", ptr %"redo_rest"
  %".202" = load double, ptr %"redo_square"
  %".203" = fmul double %".198", %".198"
  %".204" = fadd double %".203", %".202"
  store double %".204", ptr %"redo_square"
  %".206" = add nsw i64 %"i_3", 1
  br label %"i_3_header", !llvm.loop !4
i_3_after:
  %".208" = load double, ptr %"redo_rest"
  %".209" = fdiv double %".208", %".123"
  %".210" = fadd double %".185", %".209"
  store double %".210", ptr %"block_mean"
  %".212" = load double, ptr %"redo_square"
  %".213" = load double, ptr %"redo_rest"
  %".214" = load double, ptr %"redo_rest"
  %".215" = fmul double %".213", %".214"
  %".216" = fdiv double %".215", %".123"
  %".217" = fsub double %".212", %".216"
  store double %".217", ptr %"block_m2"
  br label %"i_after.endif"
c_header:
  %"c" = phi  i64 [0, %"i_after.endif"], [%".343", %"i_4_after.endif"]
  %".234" = icmp slt i64 %"c", 3
  br i1 %".234", label %"c_body", label %"c_after"
c_body:
  %".236" = mul nsw i64 %".13", 3
  %".237" = add nsw i64 %".236", %"c"
  %".238" = getelementptr inbounds float, ptr %"gamma", i64 %".237"
  %".239" = load float, ptr %".238", align 4
  %".240" = fmul float %".232", %".239"
  %".241" = fneg float %".231"
  %".242" = mul nsw i64 %".13", 3
  %".243" = add nsw i64 %".242", %"c"
  %".244" = getelementptr inbounds float, ptr %"beta", i64 %".243"
  %".245" = load float, ptr %".244", align 4
  %".246" = fmul float %".241", %".240"
  %".247" = fadd float %".246", %".245"
  %".248" = insertelement <4 x float> <float undef, float undef, float undef, float undef>, float %".228", i32 0
  %".249" = shufflevector <4 x float> %".248", <4 x float> <float undef, float undef, float undef, float undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  %".250" = insertelement <4 x float> <float undef, float undef, float undef, float undef>, float %".240", i32 0
  %".251" = shufflevector <4 x float> %".250", <4 x float> <float undef, float undef, float undef, float undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  %".252" = insertelement <4 x float> <float undef, float undef, float undef, float undef>, float %".247", i32 0
  %".253" = shufflevector <4 x float> %".252", <4 x float> <float undef, float undef, float undef, float undef>, <4 x i32> <i32 0, i32 0, i32 0, i32 0>
  %".254" = mul nsw i64 %".14", 1806
  %".255" = mul nsw i64 %".13", 903
  %".256" = add nsw i64 %".254", %".255"
  %".257" = mul nsw i64 %"c", 301
  %".258" = add nsw i64 %".256", %".257"
  %".259" = getelementptr inbounds float, ptr %"y", i64 %".258"
  %".260" = ptrtoint ptr %".259" to i64
  %".261" = udiv i64 %".260", 4
  %".262" = sub i64 0, %".261"
  %".263" = and i64 %".262", 3
  %".264" = add nsw i64 0, %".263"
  %".265" = icmp slt i64 %".264", 301
  %".266" = select  i1 %".265", i64 %".264", i64 301
  %".267" = icmp slt i64 0, %".266"
  br i1 %".267", label %"c_body.if", label %"c_body.endif"
c_after:
  %".345" = add nsw i64 %"item", 1
  br label %"item_header", !llvm.loop !1
c_body.if:
  %".269" = mul nsw i64 %".14", 1806
  %".270" = mul nsw i64 %".13", 903
  %".271" = add nsw i64 %".269", %".270"
  %".272" = mul nsw i64 %"c", 301
  %".273" = add nsw i64 %".271", %".272"
  %".274" = getelementptr inbounds float, ptr %"x", i64 %".273"
  %".275" = call <4 x float> @"load_part_f32x4"(ptr %".274", i64 %".266", <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>)
  %".276" = fsub <4 x float> %".275", %".249"
  %".277" = fmul <4 x float> %".276", %".251"
  %".278" = fadd <4 x float> %".277", %".253"
  %".279" = call <4 x float> @"relu_f32x4"(<4 x float> %".278")
  %".280" = mul nsw i64 %".14", 1806
  %".281" = mul nsw i64 %".13", 903
  %".282" = add nsw i64 %".280", %".281"
  %".283" = mul nsw i64 %"c", 301
  %".284" = add nsw i64 %".282", %".283"
  %".285" = getelementptr inbounds float, ptr %"y", i64 %".284"
  call void @"store_part_f32x4"(ptr %".285", i64 %".266", <4 x float> %".279")
  br label %"c_body.endif"
c_body.endif:
  br label %"i_4_header"
i_4_header:
  %"i_4" = phi  i64 [%".266", %"c_body.endif"], [%".312", %"i_4_body"]
  %".289" = add nsw i64 %"i_4", 4
  %".290" = icmp sle i64 %".289", 301
  br i1 %".290", label %"i_4_body", label %"i_4_after"
i_4_body:
  %".292" = mul nsw i64 %".14", 1806
  %".293" = mul nsw i64 %".13", 903
  %".294" = add nsw i64 %".292", %".293"
  %".295" = mul nsw i64 %"c", 301
  %".296" = add nsw i64 %".294", %".295"
  %".297" = add nsw i64 %".296", %"i_4"
  %".298" = getelementptr inbounds float, ptr %"x", i64 %".297"
  %".299" = load <4 x float>, ptr %".298", align 4
  %".300" = fsub <4 x float> %".299", %".249"
  %".301" = fmul <4 x float> %".300", %".251"
  %".302" = fadd <4 x float> %".301", %".253"
  %".303" = call <4 x float> @"relu_f32x4"(<4 x float> %".302")
  %".304" = mul nsw i64 %".14", 1806
  %".305" = mul nsw i64 %".13", 903
  %".306" = add nsw i64 %".304", %".305"
  %".307" = mul nsw i64 %"c", 301
  %".308" = add nsw i64 %".306", %".307"
  %".309" = add nsw i64 %".308", %"i_4"
  %".310" = getelementptr inbounds float, ptr %"y", i64 %".309"
  store <4 x float> %".303", ptr %".310", align 4
  %".312" = add nsw i64 %"i_4", 4
  br label %"i_4_header", !llvm.loop !7
i_4_after:
  %".314" = sub i64 301, %".266"
  %".315" = sdiv i64 %".314", 4
  %".316" = mul i64 %".315", 4
  %".317" = add nsw i64 %".266", %".316"
  %".318" = icmp slt i64 %".317", 301
  br i1 %".318", label %"i_4_after.if", label %"i_4_after.endif"
i_4_after.if:
  %".320" = mul nsw i64 %".14", 1806
  %".321" = mul nsw i64 %".13", 903
  %".322" = add nsw i64 %".320", %".321"
  %".323" = mul nsw i64 %"c", 301
  %".324" = add nsw i64 %".322", %".323"
  %".325" = add nsw i64 %".324", %".317"
  %".326" = sub nsw i64 301, %".317"
  %".327" = getelementptr inbounds float, ptr %"x", i64 %".325"
  %".328" = call <4 x float> @"load_part_f32x4"(ptr %".327", i64 %".326", <4 x float> <float              0x0, float              0x0, float              0x0, float              0x0>)
  %".329" = fsub <4 x float> %".328", %".249"
  %".330" = fmul <4 x float> %".329", %".251"
  %".331" = fadd <4 x float> %".330", %".253"
  %".332" = call <4 x float> @"relu_f32x4"(<4 x float> %".331")
  %".333" = mul nsw i64 %".14", 1806
  %".334" = mul nsw i64 %".13", 903
  %".335" = add nsw i64 %".333", %".334"
  %".336" = mul nsw i64 %"c", 301
  %".337" = add nsw i64 %".335", %".336"
  %".338" = add nsw i64 %".337", %".317"
  %".339" = sub nsw i64 301, %".317"
  %".340" = getelementptr inbounds float, ptr %"y", i64 %".338"
  call void @"store_part_f32x4"(ptr %".340", i64 %".339", <4 x float> %".332")
  br label %"i_4_after.endif"
i_4_after.endif:
  %".343" = add nsw i64 %"c", 1
  br label %"c_header", !llvm.loop !5
}

define internal <4 x float> @"load_part_f32x4"(ptr %".1", i64 %".2", <4 x float> %".3") "no-builtins" nounwind
{
entry:
  %".5" = alloca <4 x float>
  store <4 x float> %".3", ptr %".5"
  %".7" = icmp slt i64 %".2", 4
  %".8" = select  i1 %".7", i64 %".2", i64 4
  br label %"k_header"
k_header:
  %"k" = phi  i64 [0, %"entry"], [%".16", %"k_body"]
  %".10" = icmp slt i64 %"k", %".8"
  br i1 %".10", label %"k_body", label %"k_after"
k_body:
  %".12" = getelementptr inbounds float, ptr %".1", i64 %"k"
  %".13" = load float, ptr %".12", align 4
  %".14" = getelementptr inbounds float, ptr %".5", i64 %"k"
  store float %".13", ptr %".14", align 4
  %".16" = add nsw i64 %"k", 1
  br label %"k_header"
k_after:
  %".18" = load <4 x float>, ptr %".5"
  ret <4 x float> %".18"
}

declare double @"llvm.sqrt.f64"(double %".1")

define internal void @"store_part_f32x4"(ptr %".1", i64 %".2", <4 x float> %".3") "no-builtins" nounwind
{
entry:
  %".5" = alloca <4 x float>
  store <4 x float> %".3", ptr %".5"
  %".7" = icmp slt i64 %".2", 4
  %".8" = select  i1 %".7", i64 %".2", i64 4
  br label %"k_header"
k_header:
  %"k" = phi  i64 [0, %"entry"], [%".16", %"k_body"]
  %".10" = icmp slt i64 %"k", %".8"
  br i1 %".10", label %"k_body", label %"k_after"
k_body:
  %".12" = getelementptr inbounds float, ptr %".5", i64 %"k"
  %".13" = load float, ptr %".12", align 4
  %".14" = getelementptr inbounds float, ptr %".1", i64 %"k"
  store float %".13", ptr %".14", align 4
  %".16" = add nsw i64 %"k", 1
  br label %"k_header"
k_after:
  ret void
}

define void @"gn_f32_o1_g2_c3_i301_relu"(ptr %".1", ptr %".2", ptr %".3", ptr %".4", i64 %".5", i32 %".6")
{
entry:
  %".8" = mul i64 %".5", 2
  call void @"gn_f32_o1_g2_c3_i301_relu_phase0"(ptr %".1", ptr %".2", ptr %".3", ptr %".4", i64 %".5", i64 0, i64 %".8")
  ret void
}

!0 = !{ !"llvm.loop.unroll.disable" }
!1 = distinct !{ !1, !0 }
!2 = distinct !{ !2, !0 }
!3 = distinct !{ !3, !0 }
!4 = distinct !{ !4, !0 }
!5 = distinct !{ !5, !0 }
!6 = !{ !"llvm.loop.unroll.count", i32 4 }
!7 = distinct !{ !7, !6 }
