package domains_test
import ("testing";"pepbench/domains";"math/rand/v2";"time")
func TestZZ(t *testing.T){
 // a
 d:=&domains.Dataset{Name:"x",Rubric:domains.Quality,Criteria:[]domains.Criterion{five("a"),five("b")},Tasks:[]domains.Task{{ID:"t",Criteria:[]int{0,1}}}}
 for i:=range 100{ d.Users=append(d.Users,domains.User{ID:string(rune(33+i))}); c:=domains.NotHeld(); if i<7 {c=domains.At(1)}; d.Profiles=append(d.Profiles,domains.Profile{User:i,Cells:[]domains.Cell{c,domains.At(2)}})}
 o,err:=domains.Filter{MaxShare:.07}.Apply(d); t.Log(o,err)
 // c
 p:=domains.Profile{Cells:[]domains.Cell{domains.At(1),domains.At(2)},Weights:[]float64{1e308,1e308}}
 ch,err:=p.Normalise(); t.Log(ch,err,p.Weights)
 p=domains.Profile{Cells:[]domains.Cell{domains.At(1),domains.At(2)},Weights:[]float64{5e-324,5e-324}}
 ch,err=p.Normalise(); t.Log(ch,err,p.Weights)
 // e
 d2:=&domains.Dataset{Name:"x",Rubric:domains.NoRubric,Criteria:[]domains.Criterion{{ID:"n",Name:"n",Scale:domains.Nominal,Levels:[]domains.Level{{Value:3},{Value:7}}}},Tasks:[]domains.Task{{ID:"t",Criteria:[]int{0}}},Users:[]domains.User{{ID:"u"}},Profiles:[]domains.Profile{{Cells:[]domains.Cell{domains.At(7)}}}}
 t.Log(d2.Validate())
 // f
 func(){defer func(){t.Log(recover())}(); _,err:=domains.Splitter{By:"task",Test:.5,TestIDs:[]string{"a"}}.Split(&domains.Dataset{}); t.Log(err)}()
 // d
 for _,n:=range []int{100,1000,4000}{
 rng:=rand.New(rand.NewPCG(1,1)); _ = rng
 d3:=&domains.Dataset{Name:"x",Rubric:domains.NoRubric,Tasks:[]domains.Task{{ID:"t"}},Users:[]domains.User{{ID:"u"}}}
 var pr domains.Profile
 for i:=range n { d3.Criteria=append(d3.Criteria,five(string(rune(1000+i)))); d3.Tasks[0].Criteria=append(d3.Tasks[0].Criteria,i); pr.Cells=append(pr.Cells,domains.At(1))}
 d3.Profiles=[]domains.Profile{pr}
 s:=time.Now(); err:=d3.Validate(); t.Log(n,time.Since(s),err)
 }
 // b
 rng:=rand.New(rand.NewPCG(5,5))
 d4:=random(rng,4,12,4,false,false)
 a,_:=domains.Splitter{By:"task",Test:.5,Seed:3,UsersPerTask:3}.Split(d4)
 t.Log(a)
}
